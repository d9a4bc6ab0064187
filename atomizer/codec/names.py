"""Names that the command line offers; importing them loads no compiler."""

ORDERS = ("velocity", "audibility")
FILLS = ("noise",)  # of the codec itself
MODEL_FILL = "model"  # of the package inpainting
ENDING = ".atoms"
MAGIC = b"ATOM"  # first bytes of a file

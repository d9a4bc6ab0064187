"""Names that the command line offers; importing them loads no compiler."""

ORDERS = ("velocity", "audibility")
FILLS = ("noise",)
ENDING = ".atoms"

"""The Atomizer's page, and the entry point of a Hugging Face Space; run it with `python app.py`.

Gradio reads host and port from GRADIO_SERVER_NAME and GRADIO_SERVER_PORT.
"""

from atomizer.ui import build, launch

demo = build()

if __name__ == "__main__":
    launch(demo)

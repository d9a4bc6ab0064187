"""The Atomizer's page; also the entry of a Hugging Face Space. Run it with `python app.py`.

Host and port come from Gradio's own variables, GRADIO_SERVER_NAME and GRADIO_SERVER_PORT.
"""

from atomizer.ui import build, launch

demo = build()

if __name__ == "__main__":
    launch(demo)

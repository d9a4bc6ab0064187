"""Builds and launches the page."""

from __future__ import annotations

import gradio as gr
from gradio.themes.utils.fonts import Font
from starlette.responses import FileResponse

from ..limits import MEGABYTE, limits
from . import cleanup, endpoints, gpu, layout, queue_limits, texts, wiring
from .component import PAGE_STYLES, PLOTLY_JS, scripts, text_of

# Gradio announces the end of an event to screen readers by this key, which it does not translate
MISSING_WORDS = {"common.complete": "Done"}
# Files are sent by parts of 64 kB by default, each through a thread: the 6 MB of the atoms of ten
# seconds took 34 ms of the server, and take 10
SENT_AT_ONCE = 1 << 20  # bytes


def build() -> gr.Blocks:
    """Build the page. Raises AtomizerError for an invalid limit in the environment."""
    gpu.prepare()
    FileResponse.chunk_size = SENT_AT_ONCE
    gr.set_static_paths([PLOTLY_JS, scripts()])
    with gr.Blocks(
        title="The Atomizer",
        analytics_enabled=False,
        delete_cache=(3600, 24 * 3600),
        fill_width=True,
    ) as demo:
        wiring.connect(demo, layout.create())
        endpoints.add_endpoints()
        cleanup.watch(demo)
        queue_full = queue_limits.queue_full()
    demo.queue(max_size=limits().queue)
    queue_limits.limit_per_client(demo, queue_full)
    queue_limits.poll_less(demo)
    return demo


def theme() -> gr.themes.Base:
    """Return quiet colours and system fonts: no request leaves the page's origin."""
    return gr.themes.Base(
        primary_hue="indigo",
        neutral_hue="slate",
        radius_size="md",
        spacing_size="sm",
        text_size="md",
        font=[Font(name) for name in ("system-ui", "-apple-system", "Segoe UI", "sans-serif")],
        font_mono=[Font(name) for name in ("ui-monospace", "SFMono-Regular", "Menlo", "monospace")],
    ).set(
        # the defaults have too little contrast
        body_text_color_subdued="*neutral_500",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        button_primary_background_fill_dark="*primary_600",
        button_primary_background_fill_hover_dark="*primary_700",
    )


def launch(demo: gr.Blocks, **options):
    """Launch the page; `options` go to `Blocks.launch`."""
    return demo.launch(
        theme=theme(),
        css="\n".join(text_of(f"page/{name}.css") for name in PAGE_STYLES),
        max_file_size=int(limits().file_mb * MEGABYTE),
        footer_links=["api", "gradio", "settings"],
        i18n=gr.I18n(en=MISSING_WORDS),
        app_kwargs={"routes": texts.routes()},
        **options,
    )

"""Fill in a sound through the MCP tools of a page, with `pip install "gradio[mcp]"`.

The page runs with GRADIO_MCP_SERVER=True:

    python examples/mcp_client.py http://127.0.0.1:7860 in.wav

The tools accept the public address of a sound or, as here, the sound as a data URL.
"""

import asyncio
import base64
import sys
from pathlib import Path

from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client


async def main(url: str, path: str) -> None:
    """Call every tool once."""
    sound = "data:audio/wav;base64," + base64.b64encode(Path(path).read_bytes()).decode()
    async with (
        streamablehttp_client(f"{url.rstrip('/')}/gradio_api/mcp/") as (receive, send, _),
        ClientSession(receive, send) as session,
    ):
        await session.initialize()
        print("tools:", ", ".join(tool.name for tool in (await session.list_tools()).tools))
        facts = await session.call_tool("atomize", {"file": sound})
        print("atoms:", facts.content[0].text)
        fewer = await session.call_tool(
            "atomize", {"file": sound, "start": 0.5, "seconds": 1, "atomizer": "matching-pursuit"}
        )
        print("matching-pursuit atoms of a second:", fewer.content[0].text)
        filled = await session.call_tool(
            "fill_file",
            {"file": sound, "select": ["above:8000"], "start": 0.5, "seconds": 1, "seed": 3},
        )
        print("filled in:", filled.content[0].text)
        refused = await session.call_tool("fill_file", {"file": sound, "select": ["sideways:3"]})
        print("refused:", refused.content[0].text)


asyncio.run(main(*sys.argv[1:3]))

"""A server made with the official Python SDK, of major version 1 or 2: python-server.py PORT [json] [stateless]"""

import sys

import uvicorn

port, *settings = sys.argv[1:]
options = {"json_response": "json" in settings, "stateless_http": "stateless" in settings}

try:
    from mcp.server.mcpserver import MCPServer

    server = MCPServer("official")
    make_app = lambda: server.streamable_http_app(**options)
except ModuleNotFoundError:
    from mcp.server.fastmcp import FastMCP

    server = FastMCP("official", **options)
    make_app = server.streamable_http_app


@server.tool()
def add(a: int, b: int) -> int:
    """Adds."""
    return a + b


uvicorn.run(make_app(), host="127.0.0.1", port=int(port), log_level="error")

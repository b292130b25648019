"""The CPU stage: parse and analyse pages, anywhere: on the loop, in threads, in worker processes.

This is the lower package. A worker process imports only it, so it never names aiohttp, uvloop, pydantic or
anything of ``crawler``.
"""

"""Advice for one site, one set of analyzers and one machine: what to fetch with, where to analyse, how wide.

::

    SEED ─ sample ─► pages ─┬─ replay: a server of ours ◄──────────────┐ crawls
                            └─ demands: what a page asks of each part  │
                                   │                                   │
                                   ▼                                   │
                            model: predicts every variant ─ few best ► checks ─► advice ─► results.json, report, YAML

The site is asked for its pages once, as politely as any crawl would. All else happens on this machine: the pages are
served back after the time that their own server took, so that runs can be repeated and nobody is disturbed.
"""

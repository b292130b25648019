"""The comparison: variants of the crawler, and controls, crawl the same synthetic webs and must find the same.

::

    plan.yaml ─ plan ─► blocks ─► runner ══ orders ══► child: one for each cell, warm, a run at each order
                                    │ ▲                  │ crawls by tandem | controls | textbook
             synthetic web  ◄───────┘ └─── outcomes ◄────┘
             (a process of its own)   audit, reference ─► validity ─► cells of results.json ─► table, report

A *cell* is one variant on one workload. All cells of a block run by turns, in an order that changes with each round,
so that a slow minute hits all of them. Nothing is believed: what every run found is compared, page by page, with what
the web's own ground truth gives, and with what its server saw.
"""

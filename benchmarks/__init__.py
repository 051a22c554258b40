"""The benchmarks: each figure beside a peer's or a floor's, measured in the same run.

One module a subject, each with `run(quick: bool) -> list[Result]`. Ours and the peer take turns, so
that a change in the machine's load touches both.
"""

"""What the access to a lab's model means for an assessment: which build, and what was limited."""

from __future__ import annotations

from datetime import datetime

from vedette.bench.results import RunResult
from vedette.engagement.builds import join_labels
from vedette.services import access_records, builds
from vedette.store.models import Call, Run


def parts_of(run: Run, result: RunResult, until: datetime) -> dict[tuple[str, str, int], str]:
    """Each sample on the lab's model to the build and fingerprint that its calls reached."""
    if run.session is None or run.act is None:
        return {}
    known = builds.labels(run.act, Call.objects.filter(session=run.session), until)
    found: dict[tuple[str, str, int], set[str]] = {}
    for call in result.calls:
        label = known.get(call.request_id)
        if label is not None:
            found.setdefault((call.subject, call.item, call.trial), set()).add(label)
    return {key: join_labels(labels) for key, labels in found.items()}


def limits_of(run: Run, until: datetime) -> list[str]:
    """What the access itself limits, in sentences."""
    session = run.session
    if session is None:
        return []
    said = [
        f"The model was reached through the lab's proxy as {session.model}, build"
        f" {session.build or 'not stated'}, safeguards {session.safeguards or 'not stated'}."
    ]
    if session.quota_calls and session.calls_used >= session.quota_calls:
        said.append("The quota of calls was used up.")
    if run.act is None:
        return said
    said += _which_build(run, until)
    return [*said, *access_records.limits_of(run.act)]


def _which_build(run: Run, until: datetime) -> list[str]:
    """Which build each result is from, by the lab's statement and the office's own evidence."""
    assert run.act is not None
    served, rounds = builds.served_builds(run.act), builds.rounds_of(run.act, until)
    said = []
    if len(served) > 1:
        names = "; ".join(f"{b['label']} from {b['since']}" for b in served)
        said.append(f"The lab served {len(served)} builds in the window: {names}.")
    if served and any(build["behind_endpoint"] for build in served):
        said.append(
            "The lab states no digest of the checkpoint: which model it was rests on its word and"
            " on the office's fingerprint."
        )
    changed = [r for r in rounds if r.verdict == "changed"]
    if changed:
        said.append(
            f"The office's fingerprint of the model changed {len(changed)} time(s); results are"
            " split there, and by build."
        )
    elif len(rounds) > 1:
        said.append(
            f"The office's fingerprint of the model was the same in all {len(rounds)} rounds."
        )
    else:
        said.append("No two fingerprints were taken: that the model stayed the same is not shown.")
    return said

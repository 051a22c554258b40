"""Lists of findings and cases for pages and overviews: lazy, filtered and counted alike.

Every list passes the filter of the object itself (services.case_views); what it adds is the order
and the counts that a reader's next step follows from.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Case as Choice
from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce

from vedette.clearinghouse.states import CaseState, FindingState, ParticipantState
from vedette.kernel.permissions import Permission, Profile
from vedette.services.acting import Actor, reading
from vedette.services.case_views import browse_cases, browse_findings, seen_case
from vedette.services.here import here
from vedette.services.parties import readable
from vedette.store.models import Case, CaseNote, CaseParticipant, Finding, Organisation

ENDED = (CaseState.PUBLISHED, CaseState.CLOSED)


def coordinates(actor: Actor) -> bool:
    """Tell whether the actor is one of the clearinghouse's own coordinators."""
    coordinator = actor.host and actor.may(Permission.CASE_COORDINATE)
    return coordinator and here().profile == Profile.CLEARINGHOUSE


def finding_list(
    actor: Actor, *, state: str = "", product: str = "", reporter: str = "", case: str = ""
) -> QuerySet[Finding]:
    """Findings by parts of names, newest first: a lazy query, under the actor's scope."""
    rows = browse_findings(actor, state=state, case=case)
    if product:
        rows = rows.filter(product__icontains=product)
    if reporter:
        rows = rows.filter(Q(reporter__icontains=reporter) | Q(org__name__icontains=reporter))
    return rows.select_related("org").defer("stack", "references", "answer")


def ready_findings(actor: Actor, limit: int = 5) -> list[Finding]:
    """Findings that were executed and wait for a case, the longest waiting first."""
    rows = finding_list(actor, state=FindingState.REPRODUCED)
    return list(rows.order_by("received_at", "pk")[:limit])


def case_list(
    actor: Actor, *, state: str = "", text: str = "", only_open: bool = False
) -> QuerySet[Case]:
    """Cases, the next embargo to end first and ended ones last: a lazy query.

    The coordinator's rows carry `parties`, `silent`, and `waiting` (invited, no answer yet).
    """
    rows = browse_cases(actor, state=state, text=text)
    if only_open:
        rows = rows.exclude(state__in=ENDED)
    if coordinates(actor):
        rows = rows.annotate(
            parties=_parties(),
            silent=_parties(ParticipantState.SILENT),
            waiting=_parties(ParticipantState.INVITED),
        )
    ended = Choice(When(state__in=ENDED, then=Value(1)), default=Value(0))
    return rows.order_by(ended, "embargo_until", "-opened_at", "pk")


def _parties(status: str = "") -> Coalesce:
    rows = CaseParticipant.objects.filter(case=OuterRef("pk")).order_by()
    rows = rows.filter(status=status) if status else rows
    counted = rows.values("case").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def case_counts(actor: Actor) -> dict[str, int]:
    """How many cases the actor sees in each state."""
    counted = browse_cases(actor).order_by().values_list("state").annotate(n=Count("pk"))
    return {str(state): 0 for state in CaseState} | dict(counted)


def places(actor: Actor, cases: Sequence[str]) -> dict[str, CaseParticipant]:
    """The place of the actor's organisation in each of these cases."""
    rows = CaseParticipant.objects.filter(org_id=actor.org, case_id__in=cases)
    return {row.case_id: row for row in rows}


def case_notes(actor: Actor, case_id: str) -> tuple[Case, QuerySet[CaseNote]]:
    """Every note of a case, newest first: a lazy query. Raises NotFound."""
    with reading(actor, Permission.CASE_READ):
        row = seen_case(actor, case_id)
    return row, CaseNote.objects.filter(case=row).order_by("-at", "-id")


def silent_parties(actor: Actor, limit: int = 10) -> list[CaseParticipant]:
    """Participants of open cases who never said a word, the longest silence first."""
    actor.require(Permission.CASE_COORDINATE)
    rows = CaseParticipant.objects.filter(status=ParticipantState.SILENT)
    rows = rows.exclude(case__state__in=ENDED).select_related("org", "case")
    found = rows.order_by("invited_at", "pk")[: 4 * limit]
    return [row for row in found if readable(actor, row.case.marking)][:limit]


def invitable(actor: Actor, case_id: str) -> list[Organisation]:
    """Organisations that are not in the case yet."""
    actor.require(Permission.CASE_COORDINATE)
    inside = CaseParticipant.objects.filter(case_id=case_id).values("org_id")
    return list(Organisation.objects.filter(host=False).exclude(id__in=inside).order_by("name"))


def kind_of(actor: Actor) -> str:
    """What kind of organisation the actor acts for."""
    return str(Organisation.objects.values_list("kind", flat=True).get(id=actor.org))

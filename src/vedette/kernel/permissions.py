"""Every permission, named once as `scope:resource:action`, and which role holds it.

A permission says what a person may do inside an organisation. None of them is about a release:
nothing here, and nothing anywhere, grants or refuses one.
"""

from __future__ import annotations

from enum import StrEnum


class Profile(StrEnum):
    """What an instance is for."""

    CLEARINGHOUSE = "clearinghouse"
    LAB = "lab"
    OFFICE = "office"
    OPERATOR = "operator"


class Permission(StrEnum):
    ADVISORY_PUBLISH = "clearinghouse:advisory:publish"
    ANSWER_GIVE = "operator:notice:answer"
    ASSESSMENT_MAKE = "bench:assessment:make"
    ASSESSMENT_READ = "bench:assessment:read"
    ATTACHMENT_READ = "instance:attachment:read"
    CASE_COORDINATE = "clearinghouse:case:coordinate"
    CASE_READ = "clearinghouse:case:read"
    CASE_RESPOND = "clearinghouse:case:respond"
    CUSTODY_DESTROY = "custody:material:destroy"
    CUSTODY_EXPORT = "custody:material:export"
    CUSTODY_HOLD = "custody:hold:set"
    DETERMINATION_RECORD = "bench:determination:record"
    DOSSIER_EDIT = "readiness:dossier:edit"
    EARLY_READ = "access:early:read"
    EARLY_USE = "access:early:use"
    ENGAGEMENT_ANSWER = "engagement:act:answer"
    ENGAGEMENT_OFFER = "engagement:act:offer"
    ENGAGEMENT_READ = "engagement:act:read"
    EXPOSURE_DECIDE = "bench:exposure:decide"
    FINDING_READ = "clearinghouse:finding:read"
    FINDING_REPORT = "clearinghouse:finding:report"
    INSTANCE_ADMINISTER = "instance:settings:administer"
    INVENTORY_EDIT = "operator:inventory:edit"
    LEDGER_READ = "instance:ledger:read"
    MANDATE_GIVE = "operator:mandate:give"
    MANDATE_READ = "operator:mandate:read"
    MANDATE_USE = "operator:mandate:use"
    MESSAGE_SEND = "instance:message:send"
    NOTICE_READ = "operator:notice:read"
    NOTICE_SEND = "clearinghouse:notice:send"
    PERSON_INVITE = "instance:person:invite"
    PLAN_EDIT = "readiness:plan:edit"
    PLAN_READ = "readiness:plan:read"
    PUBLICATION_WRITE = "engagement:publication:write"
    QUESTION_ANSWER = "engagement:question:answer"
    QUESTION_ASK = "engagement:question:ask"
    READING_LOG = "custody:reading-log:read"
    REVIEW_ADVISE = "engagement:review:advise"
    REVIEW_LEAD = "engagement:review:lead"
    REVIEW_READ = "engagement:review:read"
    RUN_READ = "bench:run:read"
    RUN_START = "bench:run:start"
    SCAN_DECLARE = "clearinghouse:scan:declare"
    SCAN_READ = "clearinghouse:scan:read"
    SCAN_WISH = "clearinghouse:scan:wish"
    SEATS_READ = "access:seats:read"
    SESSION_END = "access:session:end"
    SESSION_OPEN = "access:session:open"
    SUITE_UNSEAL = "bench:suite:unseal"
    TERMS_SIGN = "engagement:terms:sign"
    TESTBED_OFFER = "operator:testbed:offer"


P = Permission
_READ_ALL = frozenset(p for p in Permission if p.value.endswith(":read"))

ROLES: dict[str, frozenset[Permission]] = {
    "administrator": frozenset(Permission),
    "auditor": frozenset({P.LEDGER_READ, P.READING_LOG}),
    "release-lead": frozenset(
        {
            P.ATTACHMENT_READ,
            P.PLAN_READ,
            P.PLAN_EDIT,
            P.DOSSIER_EDIT,
            P.ENGAGEMENT_OFFER,
            P.ENGAGEMENT_ANSWER,
        }
        | {P.ENGAGEMENT_READ, P.TERMS_SIGN, P.SESSION_END, P.ASSESSMENT_READ, P.FINDING_READ}
        | {P.FINDING_REPORT, P.LEDGER_READ, P.MESSAGE_SEND, P.CUSTODY_HOLD, P.READING_LOG}
        | {P.EARLY_READ, P.SEATS_READ, P.SCAN_DECLARE, P.SCAN_READ, P.QUESTION_ANSWER}
        | {P.PUBLICATION_WRITE}
    ),
    "compliance": frozenset(
        {
            P.ATTACHMENT_READ,
            P.PLAN_READ,
            P.DOSSIER_EDIT,
            P.ENGAGEMENT_READ,
            P.LEDGER_READ,
            P.CUSTODY_HOLD,
        }
        | {P.READING_LOG}
    ),
    "reviewing-officer": frozenset(
        {P.ATTACHMENT_READ, P.ENGAGEMENT_READ, P.ENGAGEMENT_ANSWER, P.TERMS_SIGN, P.ASSESSMENT_MAKE}
        | {P.ASSESSMENT_READ, P.DETERMINATION_RECORD, P.RUN_READ, P.LEDGER_READ, P.MESSAGE_SEND}
        | {P.FINDING_READ, P.CUSTODY_DESTROY, P.CUSTODY_EXPORT, P.CUSTODY_HOLD}
        | {P.SCAN_DECLARE, P.SCAN_READ, P.EXPOSURE_DECIDE, P.SUITE_UNSEAL}
        | {P.QUESTION_ASK, P.REVIEW_ADVISE, P.REVIEW_LEAD, P.REVIEW_READ}
        | {P.PUBLICATION_WRITE}
    ),
    "consulted-officer": frozenset({P.REVIEW_ADVISE, P.REVIEW_READ, P.CUSTODY_HOLD}),
    "evaluator": frozenset(
        {
            P.ATTACHMENT_READ,
            P.ENGAGEMENT_READ,
            P.SESSION_OPEN,
            P.RUN_START,
            P.RUN_READ,
            P.ASSESSMENT_MAKE,
        }
        | {P.ASSESSMENT_READ, P.FINDING_REPORT, P.FINDING_READ, P.SCAN_DECLARE, P.SCAN_READ}
        | {P.REVIEW_ADVISE, P.REVIEW_READ, P.SUITE_UNSEAL}
        | {P.PUBLICATION_WRITE}
    ),
    "coordinator": frozenset(
        {
            P.ATTACHMENT_READ,
            P.FINDING_READ,
            P.FINDING_REPORT,
            P.CASE_READ,
            P.CASE_COORDINATE,
            P.CASE_RESPOND,
        }
        | {P.ADVISORY_PUBLISH, P.NOTICE_SEND, P.NOTICE_READ, P.LEDGER_READ, P.MESSAGE_SEND}
        | {P.SCAN_DECLARE, P.SCAN_READ, P.SCAN_WISH, P.SEATS_READ, P.TESTBED_OFFER}
    ),
    "vendor": frozenset(
        {P.CASE_READ, P.CASE_RESPOND, P.SCAN_DECLARE, P.SCAN_READ, P.SCAN_WISH, P.TESTBED_OFFER}
    ),
    "finder": frozenset(
        {P.ATTACHMENT_READ, P.FINDING_READ, P.FINDING_REPORT, P.CASE_READ}
        | {P.SCAN_DECLARE, P.SCAN_READ}
    ),
    "partner": frozenset(
        {P.ATTACHMENT_READ, P.ENGAGEMENT_READ, P.EARLY_READ, P.EARLY_USE}
        | {P.FINDING_READ, P.FINDING_REPORT, P.SCAN_DECLARE, P.SCAN_READ}
    ),
    "operator": frozenset(
        {P.NOTICE_READ, P.ANSWER_GIVE, P.INVENTORY_EDIT, P.TESTBED_OFFER}
        | {P.MANDATE_GIVE, P.MANDATE_READ}
    ),
    "delegate": frozenset({P.MANDATE_READ, P.MANDATE_USE}),
    "reader": _READ_ALL - {P.LEDGER_READ, P.READING_LOG},
}

# Roles that a person of the instance's own organisation can have, by profile.
PROFILE_ROLES: dict[Profile, tuple[str, ...]] = {
    Profile.LAB: (
        *("administrator", "release-lead", "compliance", "finder", "partner", "auditor", "reader"),
    ),
    Profile.OFFICE: (
        *("administrator", "reviewing-officer", "consulted-officer", "evaluator"),
        *("auditor", "reader"),
    ),
    Profile.CLEARINGHOUSE: (
        *("administrator", "coordinator", "vendor", "finder", "partner", "operator"),
        *("delegate", "auditor", "reader"),
    ),
    Profile.OPERATOR: ("administrator", "operator", "auditor", "reader"),
}

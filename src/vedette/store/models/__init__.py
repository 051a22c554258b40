"""Every table, one module per noun."""

from vedette.store.models.access import Call, MeterReport, ModelEndpoint, Session
from vedette.store.models.accounts import ApiToken, Invitation, Membership, Organisation, Person
from vedette.store.models.assessment import Assessment, Determination, Run, TakenSuite
from vedette.store.models.builds import (
    AccessRecord,
    Build,
    ProbeRound,
    Reachable,
    ReleaseStatement,
    Serving,
)
from vedette.store.models.cases import (
    Advisory,
    Case,
    CaseNote,
    CaseParticipant,
    FixDelivery,
    Mail,
    SeverityClaim,
)
from vedette.store.models.custody import (
    Custody,
    Hold,
    Reading,
    ReadingAlert,
    ReadingReport,
    Seconding,
    WindowKey,
)
from vedette.store.models.documents import DocumentCopy
from vedette.store.models.early_access import EarlyAcceptance, EarlyAccess, SeatsShared
from vedette.store.models.engagement import Act, Decision, Dossier, Plan, PlanChange
from vedette.store.models.exchange import Attachment, Awaiting, InMessage, OutMessage, Peer
from vedette.store.models.findings import Finding, PeerOrganisation, Reproduction
from vedette.store.models.index import ExploitScore, IndexBuild, KnownProducts, SourceAdvisory
from vedette.store.models.instance import IdempotencyRecord, PackRecord, Schedule
from vedette.store.models.ledger import Checkpoint, LedgerEntry, LedgerHead, LedgerSalt
from vedette.store.models.mandates import Mandate, MandateReach
from vedette.store.models.operators import (
    AssetMark,
    HeldName,
    Inventory,
    Notice,
    NoticeName,
    OperatorAnswer,
    Suppression,
    VexDocument,
)
from vedette.store.models.partners import TrustedPartner
from vedette.store.models.private import (
    EarlyWarning,
    PrivateCase,
    PrivateMatch,
    PrivateQuestion,
)
from vedette.store.models.publication import Publication, PublicationMark
from vedette.store.models.review import (
    Consultation,
    DeterminationBasis,
    DossierState,
    FieldCheck,
    Question,
    Review,
    ReviewComment,
    ReviewOffice,
    ReviewTask,
    ReviewView,
)
from vedette.store.models.run_custody import ToldCommitment, Weights
from vedette.store.models.scans import PeerPartner, ScanFinding, ScanIntent, ScanWish, TestBed
from vedette.store.models.terms import Terms, TermsAcceptance, TermsStrike

__all__ = [
    "AccessRecord",
    "Act",
    "Advisory",
    "ApiToken",
    "Assessment",
    "AssetMark",
    "Attachment",
    "Awaiting",
    "Build",
    "Call",
    "Case",
    "CaseNote",
    "CaseParticipant",
    "Checkpoint",
    "Consultation",
    "Custody",
    "Decision",
    "Determination",
    "DeterminationBasis",
    "DocumentCopy",
    "Dossier",
    "DossierState",
    "EarlyAcceptance",
    "EarlyAccess",
    "EarlyWarning",
    "ExploitScore",
    "FieldCheck",
    "Finding",
    "FixDelivery",
    "HeldName",
    "Hold",
    "IdempotencyRecord",
    "InMessage",
    "IndexBuild",
    "Inventory",
    "Invitation",
    "KnownProducts",
    "LedgerEntry",
    "LedgerHead",
    "LedgerSalt",
    "Mail",
    "Mandate",
    "MandateReach",
    "Membership",
    "MeterReport",
    "ModelEndpoint",
    "Notice",
    "NoticeName",
    "OperatorAnswer",
    "Organisation",
    "OutMessage",
    "PackRecord",
    "Peer",
    "PeerOrganisation",
    "PeerPartner",
    "Person",
    "Plan",
    "PlanChange",
    "PrivateCase",
    "PrivateMatch",
    "PrivateQuestion",
    "ProbeRound",
    "Publication",
    "PublicationMark",
    "Question",
    "Reachable",
    "Reading",
    "ReadingAlert",
    "ReadingReport",
    "ReleaseStatement",
    "Reproduction",
    "Review",
    "ReviewComment",
    "ReviewOffice",
    "ReviewTask",
    "ReviewView",
    "Run",
    "ScanFinding",
    "ScanIntent",
    "ScanWish",
    "Schedule",
    "SeatsShared",
    "Seconding",
    "Serving",
    "Session",
    "SeverityClaim",
    "SourceAdvisory",
    "Suppression",
    "TakenSuite",
    "Terms",
    "TermsAcceptance",
    "TermsStrike",
    "TestBed",
    "ToldCommitment",
    "TrustedPartner",
    "VexDocument",
    "Weights",
    "WindowKey",
]

"""The addresses of the pages on which offices work together, and the lab answers them."""

from __future__ import annotations

from django.urls import path

from vedette.web.pages import holds, questions, review_acts, reviews, worksheet

urlpatterns = [
    path("acts/<str:act_id>/dossier/", questions.extract, name="act-dossier"),
    path("acts/<str:act_id>/review/", review_acts.open_review, name="review-open"),
    path("consultations/<str:consultation_id>/", reviews.consultation, name="consultation"),
    path("consultations/<str:consultation_id>/hold/", holds.hold_extract, name="extract-hold"),
    path("questions/", questions.questions, name="questions"),
    path("questions/<str:question_id>/", questions.question, name="question"),
    path("reviews/", reviews.reviews, name="reviews"),
    path("reviews/<str:review_id>/", reviews.review, name="review"),
    path("reviews/<str:review_id>/hold/", holds.hold_as_guest, name="review-hold"),
    path("reviews/<str:review_id>/terms/", reviews.terms, name="review-terms"),
    path("reviews/<str:review_id>/worksheet/", worksheet.worksheet, name="worksheet"),
    path("reviews/<str:review_id>/worksheet/check/", worksheet.check, name="worksheet-check"),
    path("reviews/<str:review_id>/fields/<str:field_id>/", worksheet.field, name="review-field"),
    path("reviews/<str:review_id>/fields/<str:field_id>/ask/", worksheet.ask, name="review-ask"),
    path("reviews/<str:review_id>/share/<str:org_id>/", review_acts.share, name="review-share"),
    path(
        "reviews/<str:review_id>/move/<str:what>/<str:name>/<str:trigger>/",
        review_acts.move,
        name="review-move",
    ),
    path("reviews/<str:review_id>/do/<str:name>/", review_acts.act, name="review-act"),
]

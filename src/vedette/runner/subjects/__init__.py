"""Reference subjects: what a model's score is read beside, and a stand-in for a model."""

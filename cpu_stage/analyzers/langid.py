"""The language model of py3langid, loaded by importing this module.

Loading takes half a second and 70 MB, so a worker does it when it starts, and a fork server once for all workers.
"""

from py3langid.langid import MODEL_FILE, LanguageIdentifier

IDENTIFIER = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)

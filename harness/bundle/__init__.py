"""One zip from which tables and figures are rebuilt elsewhere, and the proof that they are."""

from harness.bundle.verify import Verification, verify_bundle
from harness.bundle.write import write_bundle

__all__ = ["Verification", "verify_bundle", "write_bundle"]

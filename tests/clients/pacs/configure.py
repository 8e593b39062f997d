"""What an administrator does at Orthanc: tell it of DIR Link, and verify the connection. Routing is Orthanc's own affair."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import requests


def main(orthanc: str) -> None:
    """Configure the Orthanc at this URL in the step `configure`; in the others it works by itself."""
    if os.environ["ACRMOCK_STEP"] != "configure":
        return
    address = json.loads(Path(os.environ["ACRMOCK_REGISTRATION"]).read_text("utf-8"))["dicom"]
    peer = {"AET": address["ae_title"], "Host": address["host"], "Port": address["port"]}
    requests.put(f"{orthanc}/modalities/dirlink", json=peer, timeout=20).raise_for_status()
    requests.post(f"{orthanc}/modalities/dirlink/echo", data="{}", timeout=20).raise_for_status()


if __name__ == "__main__":
    main(sys.argv[1])

"""DIR Link: receives dose reports over DICOM, holds, anonymises and forwards them (S1; facts D1.1 to D1.10)."""

"""How well descriptions are understood: cases, scores, calibration, reports."""

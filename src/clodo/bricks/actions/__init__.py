"""Named actions on a row: parameters, guards, effects, all in one transaction."""

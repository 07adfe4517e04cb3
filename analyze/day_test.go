package analyze

import "time"

// today is the day of the logs that tests make up.
var today = time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC)

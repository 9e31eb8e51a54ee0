"""receipt: what a sender is told about a file, as a page, as JSON, and the refused rows as they were sent."""

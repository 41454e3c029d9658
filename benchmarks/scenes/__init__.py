"""What a user does that writes files, in small: each with what must be there afterwards, whatever fails in between."""

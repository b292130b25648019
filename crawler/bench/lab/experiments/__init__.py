"""What is measured, each in an interpreter of its own. Functions take and return plain JSON values."""

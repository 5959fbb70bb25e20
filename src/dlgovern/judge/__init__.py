"""What becomes of a hit: graded, suppressed, or open. No stage drops one."""

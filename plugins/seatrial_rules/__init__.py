"""The built-in risk rules, on the same hook as anyone's: `seatrial_rules.plugin` offers them under their names."""

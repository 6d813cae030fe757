"""The commands that compare sellers, and check the champion."""

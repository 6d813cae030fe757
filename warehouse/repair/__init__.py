"""What a killed run or a damaged disk left in the lake, and how each is mended."""

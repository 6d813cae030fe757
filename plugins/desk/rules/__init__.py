"""The rules that a category manager sets: what each says, which prices it holds, and what that costs."""

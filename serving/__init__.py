"""Champion to demand curves to policy to price book to quote."""

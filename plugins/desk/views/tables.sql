-- What one row of each table is, as its contract says; a test compares.
comment on view price_changes is
'one event of a price change, with the terms that hold from then on; null is every product, or every store';
comment on view alerts is
'one event of an alert: raised when it began, over when it ended; nothing is ever removed';
comment on view notifications is
'one message that was sent, or that a webhook or a mail server did not take; a failure that goes on is kept once';
comment on view competitor_prices is
'one price of a rival for a product of the shelf, as somebody saw it; it counts from the business date on';

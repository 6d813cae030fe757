-- What one row of each table is, as its contract says; a test compares. COMMENT ON takes no parameters.
comment on view receipt_lines is
'one line of a receipt as the till said it; it counts unless another line voids or corrects it';
comment on view stock_events is 'one count, delivery or loss of a product in a store';
comment on view traffic is 'one hour of one store in which somebody counted its visitors; what was said last holds';
comment on view product_visits is
'one hour of one product in one store in which somebody counted who looked at it; what was said last holds';
comment on view exposures is
'one product in one store over a span of one price of ours, or what sold meanwhile at a price that was not ours';
comment on view hourly_draws is
'one price of an outside store from a tick of its day on, with the chance with which it was to be shown';
comment on view price_draws is
'one product in one outside store over a week or a day from the date on, with the price that was drawn for it';
comment on view experiments is
'one experiment that somebody planned: a coin shows some products a step above or below their price';
comment on view experiment_outcomes is
'what an experiment has told of one product, from its coin alone';
comment on view design_approvals is
'one decision of a person about the design of drawn prices, where prices wait for approval';
comment on view shelf_price_changes is
'one new shelf price that the owner said for a product whose prices are drawn';
comment on view earned is
'what drawn prices brought against the owner''s up to a date: the chain, one of its weeks, categories or stores';
comment on view earned_slots is
'what one product brought in one outside store at the price of a draw, while it stood';

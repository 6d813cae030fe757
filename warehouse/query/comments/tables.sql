-- What one row of each table is, as its contract says; a test compares. COMMENT ON takes no parameters.
comment on view closed_interactions is 'one shopper who considered one product, on a day that is over';
comment on view interactions is 'one shopper who considered one product';
comment on view closed_repricings is 'one price decision: an opening or a change, on a day that is over';
comment on view repricings is 'one price decision: an opening or a change';
comment on view live_interactions is
'one shopper who considered one product on a day that is still being sold; part of interactions';
comment on view live_repricings is
'one price decision, an opening or a change, of a day that is still being sold; part of repricings';
comment on view live_interactions_published is
'one shopper who considered one product on a live day, whether it has closed since or not';
comment on view live_repricings_published is
'one price decision, an opening or a change, of a live day, whether it has closed since or not';
comment on view unit_sales is
'one product at one price in one store over one business date, or one hour of it, as a retailer counted it';
comment on view stock_movements is
'the units of one product in one store that keep until the same date, over one business date';
comment on view markdowns is
'the sticker that a store is to stick at opening on the last-day units of one product';
comment on view substitutions is
'one unit that a shopper took instead of the product she came for, whose visit stands in interactions';
comment on view substitute_choices is
'one choice before some shoppers of a partition who found a product too dear or sold out, and what they took';
comment on view promotions is
'what a retailer''s file says of one product in one store on one business date, beside its price';
comment on view rejected is 'one bad row that was kept out';
comment on view ingested_files is 'one file that was ingested whole';
comment on view demand_cells is
'one demand cell of a partition: a distinct feature vector; decisions at an empty shelf are left out';
comment on view visit_counts is
'one product in one tick at one price of a partition, ours or somebody else''s: its visits, also to an empty shelf';
comment on view store_visits is 'one store of a partition to which somebody came';
comment on view context_counts is
'one product at one price in one store and hour of a partition, ours or a retailer''s: its visits that found stock';
comment on view events is 'one event that was announced for one date; without a store, for all stores';
comment on view weather is 'one date as it was forecast, or measured once it is over; without a store, of all';
comment on view demand_curves_history is
'one candidate price of one product, as it is believed before the day, for each business date';
comment on view beliefs is 'one product, as it is believed before a business date';
comment on view said_beforehand is
'one product, of which the forests of a champion said something before a business date';
comment on view belief_updates is
'one product of a batch after some ticks: what the day''s own sales made of the belief, and so of the prices left';
comment on view model_versions is 'one judged model version';
comment on view champions is 'one change of champion; numbers count up, and the newest one says who the champion is';
comment on view days_in_force is
'what priced one batch from one tick on: one row, or one for each stretch of a live day whose prices changed';
comment on view catalogs is 'one catalog that was in force at some time; the key is the start of its fingerprint';
comment on view drift_checks is 'one product on one day since the training of one model version, seen as its champion';
comment on view nights is 'the night after one business date, once it is done';
comment on view products is 'one product on the shelf';
comment on view shopper_pool is 'one shopper of the pool, also where a retailer''s own decisions are of others';
comment on view shoppers is 'one shopper of the pool';
comment on view stores is 'one store whose time is kept; there is none while all stores keep UTC';
comment on view booked_prices is
'one product with one number of ticks left in a price book; lists are by stock, from 0 units, or by price';

-- What a file says beside its prices on one date, by store and product. Any row that says yes makes it yes; of names,
-- the first one stands, and of numbers the highest. `refused` has lines that do not count.
select
    shops.store_id,
    shelf.sku,
    bool_or(staged.promotion) as promotion,
    bool_or(staged.display) as display,
    bool_or(staged.leaflet) as leaflet,
    case when $has_event then coalesce(arg_min(staged.event, staged.line), '') end as event,
    max(staged.regular_price) filter (where staged.regular_price > 0) as regular_price
from staged
inner join shops on staged.store = shops.store
inner join shelf on staged.product = shelf.product
where staged.date = $date and staged.line not in (select refused.line from refused)
group by shops.store_id, shelf.sku, shelf.place
order by shops.store_id, shelf.place;

select
    pair,
    store,
    product
from pairs
order by pair;

select
    word,
    line,
    name,
    category,
    brand,
    tier,
    cost,
    base,
    stock,
    visits,
    low,
    usual,
    high,
    median,
    most
from products
order by line;

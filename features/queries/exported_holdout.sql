-- How many held-out decisions met a price that somebody else set.
select count(*) as count_exported
from closed_interactions
where policy = 'external' and business_date > $trained_through and business_date <= $judged_through;

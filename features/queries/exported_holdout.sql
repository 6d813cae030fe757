-- One row: how many held-out decisions met a price that somebody else set.
select count(*) as count_exported
from closed_interactions
where is_external(policy) and business_date > $trained_through and business_date <= $judged_through;

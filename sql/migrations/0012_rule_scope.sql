-- A rule can be of one mine, of a country or of a commodity.

set local role minecam_admin;

alter table rule
    add mine_id   integer references mine,
    add country   text,
    add commodity text;
comment on column rule.mine_id is 'The only mine that the rule is for; null: all';
comment on column rule.country is 'Country of the mines that the rule is for; null: any';
comment on column rule.commodity is 'Commodity of the mines that the rule is for; null: any';

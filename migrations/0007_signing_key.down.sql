DROP TABLE signing_key;
DELETE FROM generation WHERE name = 'signing_key';

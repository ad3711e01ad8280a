DROP TABLE client;
DELETE FROM generation WHERE name = 'client';

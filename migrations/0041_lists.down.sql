DROP INDEX person_merge_open;

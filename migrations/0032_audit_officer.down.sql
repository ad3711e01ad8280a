DROP INDEX audit_event_officer;

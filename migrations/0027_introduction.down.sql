ALTER TABLE request
    DROP CONSTRAINT request_taken_up_is_decided,
    DROP CONSTRAINT request_approved_by_another,
    DROP CONSTRAINT request_taken_up_by_another,
    DROP COLUMN taken_up_by;
DROP TABLE introduction;
DROP FUNCTION keep_introduction_ended();

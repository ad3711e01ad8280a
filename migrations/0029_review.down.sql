DROP TABLE review_item;
DROP TABLE review;
DROP FUNCTION keep_review_item_decided();

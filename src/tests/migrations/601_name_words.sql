DO $$
BEGIN
    ASSERT (SELECT count(*) > 0 FROM name_words), 'the words of the names that were there are known';
END $$;

"""A Judgement for people and for programs: on the terminal, as a page, as JSON, as JUnit's XML."""

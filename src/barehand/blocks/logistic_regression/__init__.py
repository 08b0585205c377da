"""Logistic regression by descent; the estimator is `barehand.linear_model.LogisticRegression`."""

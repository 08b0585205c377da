"""Linear regression by gradient descent; the estimator is `barehand.linear_model.LinearRegression`."""

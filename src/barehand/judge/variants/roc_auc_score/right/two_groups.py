# right: takes the scores of each class
def auc_from_groups(pos_scores, neg_scores):
    """AUC: the probability that a random positive outranks a random negative"""
    wins = sum((p > n) + 0.5 * (p == n) for p in pos_scores for n in neg_scores)
    return wins / (len(pos_scores) * len(neg_scores))

def judge(seen, files):
    # SECRET-JUDGE
    return len(seen["file"]) > 3, "short"

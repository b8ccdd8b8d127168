"""What is made from the contracts: JSON Schemas, AsyncAPI documents, the topology's diagrams; and their compatibility.

`python -m tuntas_tools.contracts generate | check | release`.
"""

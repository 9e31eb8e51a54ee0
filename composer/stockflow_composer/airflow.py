"""The names of Airflow that the DAGs use, where 3 and 2.11 have them."""

try:  # Airflow 3
    from airflow.sdk import DAG, BaseOperator, Param, task
    from airflow.sdk.exceptions import AirflowException, AirflowFailException
except ImportError:  # Airflow 2.11
    from airflow.decorators import task
    from airflow.exceptions import AirflowException, AirflowFailException
    from airflow.models.baseoperator import BaseOperator
    from airflow.models.dag import DAG
    from airflow.models.param import Param
from airflow.triggers.base import BaseTrigger, TriggerEvent

__all__ = [
    "DAG",
    "AirflowException",
    "AirflowFailException",
    "BaseOperator",
    "BaseTrigger",
    "Param",
    "TriggerEvent",
    "task",
]
